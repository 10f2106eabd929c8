"""The models of the installation: installing and removing by the model manager's command, and which one does what."""
