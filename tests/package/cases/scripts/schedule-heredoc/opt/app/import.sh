#!/bin/sh
sftp in@old.vendor.example
