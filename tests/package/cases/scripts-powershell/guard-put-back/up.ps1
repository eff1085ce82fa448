Set-MpPreference -DisableRealtimeMonitoring $true
.\setup.exe /S
Set-MpPreference -DisableRealtimeMonitoring $false
