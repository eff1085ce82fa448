Invoke-CimMethod -ClassName Win32_OperatingSystem -MethodName Win32Shutdown -Arguments @{ Flags = 6 }
shutdown.exe /r /t 60 /c "Ledger upgrade" /d p:4:2
