"""What is done with a whole lifecycle: taken over from similar data (transfer), renewed (rebuild).

Above training and analysis, so that one can ask which data is similar and then train. It imports
neither PyTorch nor the engine: what is computed stands in the rooms below. The functions are
imported from their modules (``veml_vcs.lifecycle.transfer``), so that asking costs no more than it
needs.
"""
