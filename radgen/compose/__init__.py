"""The finding structure as sentences, in Chinese and in English; pure."""
