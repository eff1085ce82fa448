shutdown /a
shutdown /l
echo shutdown /r
rem shutdown /r
:: shutdown /r
