"""Where the page is reached: names, ports and links, and the certificate that vouches for them."""
