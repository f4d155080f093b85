"""The version that `tally --version` tells; images carry no package metadata to read it from."""

VERSION = "0.1.0"
