"""The farm and the trainer: jobs placed on slots, networks trained, the command line."""
