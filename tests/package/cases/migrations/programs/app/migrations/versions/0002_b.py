"""one"""
revision = "0002"

def upgrade():
    pass
