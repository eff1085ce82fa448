#!/bin/sh
HOST=sftp.old.example
USER_=import
sftp -P 2222 "$USER_@$HOST:/in"
