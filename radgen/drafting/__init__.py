"""From a model input to a finding structure: engines that run the networks, and pure assessment."""
