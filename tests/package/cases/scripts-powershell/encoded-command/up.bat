@echo off
powershell.exe -NoProfile -ExecutionPolicy Bypass -EncodedCommand UgBlAHMAdABhAHIAdAAtAFMAZQByAHYAaQBjAGUAIABTAHAAbwBvAGwAZQByAA==
