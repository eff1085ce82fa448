$nodes = 'app01', 'app02'
Invoke-Command -ComputerName $nodes -ScriptBlock {
    Stop-Service LedgerSvc
    Remove-Item 'C:\Ledger\cache' -Recurse -Force
}
Restart-Computer -ComputerName app03 -Force
$session = New-PSSession -ComputerName app04.ledger.example -UseSSL
Invoke-Command -Session $session -ScriptBlock { Restart-Service LedgerWeb }
