package actions

// NewWorld has what each action is for.
var NewWorld = newWorld
