"""Small networks of every kind, each trained by a script of thirty lines or fewer, in seconds.

python -m gradschool_course.examples.twin_network
"""
