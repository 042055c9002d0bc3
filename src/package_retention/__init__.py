"""Deletes and restores versions of GitHub Packages without breaking what stays."""

__version__ = "0.1.0"
