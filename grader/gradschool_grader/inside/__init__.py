"""What runs on the untrusted side: wire, performer, entry. Standard library and NumPy only, and no secrets.

Nothing in this folder may import the rest of the package: the folder alone is what a sandbox can see.
"""
