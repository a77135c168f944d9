"""SIP outbound registrations, kept alive and shown as Asterisk's console shows them."""

__version__ = "0.1.0"
