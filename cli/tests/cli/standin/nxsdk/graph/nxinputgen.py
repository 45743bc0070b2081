"""The spike generator."""
from .nxboard import Node


class BasicSpikeGenerator(Node):
    def __init__(self, board):
        super().__init__("generator")
