"""How long jobs will take: speeds that this machine has shown, and what follows from them."""
