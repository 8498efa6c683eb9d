"""The checks of the doctor, the steps of the first day, and copying."""
