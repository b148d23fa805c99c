"""OpenMMLab configs, read and never run: what they say, what they inherit, what the model is."""

from veml_vcs.versions.configs.facts import ModelFacts, model_facts
from veml_vcs.versions.configs.read import ConfigFile, read_config

__all__ = ["ConfigFile", "ModelFacts", "model_facts", "read_config"]
