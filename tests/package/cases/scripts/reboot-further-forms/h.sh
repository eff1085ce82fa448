#!/bin/sh
touch /.autorelabel
