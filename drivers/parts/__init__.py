"""Pieces of drivers that outgrew one file: layouts and formats. Nothing here is found as a driver.

A piece belongs to one device family and bears its name; files in `drivers/devices/` import it.
"""
