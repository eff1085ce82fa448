"""skiff"""
import os
