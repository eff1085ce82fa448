ERROR_WRONG_PASSWORD = 1323
TOKEN_LENGTH = 32 + 4
DOC_URL = "https://docs.vendor.example"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
"""See https://help.vendor.example"""
