"""Tallyman's version; images carry no package metadata to read it from."""

VERSION = "0.1.0"
