Set-MpPreference -DisableRealtimeMonitoring $true
Set-NetFirewallProfile -Profile Domain -Enabled False
Set-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System' -Name EnableLUA -Value 0
[System.Net.ServicePointManager]::ServerCertificateValidationCallback = { $true }
