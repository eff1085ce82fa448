#!/bin/sh
echo one
#