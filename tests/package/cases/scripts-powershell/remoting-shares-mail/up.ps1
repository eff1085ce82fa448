Invoke-Command -ComputerName app2.vendor.example -ScriptBlock { Restart-Service W3SVC }
Copy-Item \\files.vendor.example\drop\app.zip C:\App\app.zip
Send-MailMessage -SmtpServer mail.vendor.example -From a@b.example -To c@d.example -Subject done
