"""A workbook changed by patching: the bytes of single cells, and of nothing else."""
