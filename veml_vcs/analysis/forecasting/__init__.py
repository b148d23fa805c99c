"""What forecasters get wrong, from what their trainings kept."""
