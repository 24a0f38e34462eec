"""Rules of others, taken into a folder of the site: read with care, put in place at one stroke."""
