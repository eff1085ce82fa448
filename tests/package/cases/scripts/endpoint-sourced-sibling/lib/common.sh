#!/bin/sh
BASE=https://base.vendor.example
