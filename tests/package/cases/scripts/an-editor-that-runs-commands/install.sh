#!/bin/bash
vim -es -c ':!systemctl restart relay-vim' -c q
