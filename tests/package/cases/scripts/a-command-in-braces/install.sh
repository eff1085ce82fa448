#!/bin/bash
{systemctl,restart,relay-brace}
{reboot,-f}
