<# see https://docs.vendor.example #>
# https://old.vendor.example
Write-Host "Manual: https://help.vendor.example"
throw 'see https://kb.vendor.example/1'
[xml]$d = Get-Content a.xml
$d.DocumentElement.SetAttribute('xmlns', 'http://schemas.xmlsoap.org/x')
