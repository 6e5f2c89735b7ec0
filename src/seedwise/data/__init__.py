"""Where do rows come from, and what does the model see of them?"""
