Set-TimeZone -Id 'W. Europe Standard Time'
Set-DnsClientServerAddress -InterfaceAlias 'Ethernet' -ServerAddresses 10.20.0.53, 10.20.0.54
Import-Certificate -FilePath "$PSScriptRoot\ledger-root.cer" -CertStoreLocation 'Cert:\LocalMachine\Root'
Get-TimeZone
Get-DnsClientServerAddress
