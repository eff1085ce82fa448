Write-Host x
