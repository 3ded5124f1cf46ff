"""The sitting: phases, dose and protocol clock, as pure folds."""
