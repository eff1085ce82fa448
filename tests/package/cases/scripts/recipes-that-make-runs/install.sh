#!/bin/bash
make -C tools install
