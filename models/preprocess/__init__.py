"""Arrays in, model inputs out: the one preprocessing path of training, export and serving."""
