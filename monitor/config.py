"""TOML to frozen records; every error names file, table, key, value and remedy."""
