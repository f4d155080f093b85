"""Documents as a person reads them. Pure: nothing here prints."""
