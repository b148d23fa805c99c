"""The OpenMMLab room, alone in importing MMEngine and MMDetection. So far: running configs."""
