int bad(const char *text, int n);

int bad(const char *text, int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		if (text[i] == 'a' || text[i] == 'a') {
			for (int j = 0; j < n; j++) {
				if (text[j] == 'b') {
					for (int k = 0; k < n; k++) {
						if (text[k] == 'c') {
							while (sum < n) {
								if (text[sum] == 'd')
									sum++;
							}
						}
					}
				}
			}
		}
	}
	return sum;
}
