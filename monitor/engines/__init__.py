"""What starts work: the tick asks what is due, a dispatcher runs it. Neither knows what a feed is."""
