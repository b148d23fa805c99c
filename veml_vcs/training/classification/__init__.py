"""Classifying images: one class an image, learnt by a ResNet."""
