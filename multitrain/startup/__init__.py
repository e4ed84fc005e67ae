"""How our processes start: whose code they run, what they see, which signals end them."""
