#!/bin/bash
cd build
./configure
make
sudo make -j4 install
