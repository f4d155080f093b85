"""The commands' options, a module a panel of `tally --help`; each is merged into the app by `main`."""
