fetch('https://never.app.example')
